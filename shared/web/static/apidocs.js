/* The API pages: Swagger UI for HTTP, the AsyncAPI page for events. Nothing is fetched from elsewhere. */
document.addEventListener('DOMContentLoaded', () => {
  const box = document.querySelector('[data-openapi], [data-asyncapi]');
  if (box.dataset.openapi) {
    SwaggerUIBundle({ url: box.dataset.openapi, domNode: box, deepLinking: true, validatorUrl: null, supportedSubmitMethods: box.dataset.tryIt === 'on' ? undefined : [] });
  } else {
    fetch(box.dataset.asyncapi).then((answer) => answer.text())
      .then((schema) => AsyncApiStandalone.render({ schema, config: { show: { sidebar: true, errors: true } } }, box));
  }
});
