/* The API pages: Swagger UI for HTTP; for events, a page drawn here from the AsyncAPI document, because
   AsyncAPI's own page compiles code from strings, which the policy of every page forbids. */
(() => {
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child != null && child !== ''));
    return element;
  }

  function drawEvents(box, spec) {
    const named = (ref) => ref.slice(2).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const follow = (value) => (value?.$ref ? follow(named(value.$ref).reduce((here, part) => here?.[part], spec)) : value ?? {});
    const anchor = (name) => `kieu-${name.replace(/[^\w.-]/g, '-')}`;

    /* A type in words: a named one is a link to its own table. */
    function type(schema) {
      if (schema.$ref) {
        const name = named(schema.$ref).at(-1);
        return [make('a', { href: `#${anchor(name)}` }, name)];
      }
      const choices = schema.anyOf || schema.oneOf || schema.allOf;
      if (choices) return choices.flatMap((each, at) => (at ? [' | ', ...type(each)] : type(each)));
      if (schema.type === 'array') return ['[ ', ...type(schema.items ?? {}), ' ]'];
      if (schema.const !== undefined) return [JSON.stringify(schema.const)];
      if (schema.enum) return [schema.enum.map((each) => JSON.stringify(each)).join(' | ')];
      return [[schema.type ?? 'any', schema.format].filter(Boolean).join(', ')];
    }

    function fields(name, schema) {
      if (schema.enum) return make('p', {}, ...type(schema));
      const rows = Object.entries(schema.properties ?? {}).map(([field, each]) => make('tr', {},
        make('th', { scope: 'row' }, make('span', { class: 'code' }, field)),
        make('td', {}, ...type(each)),
        make('td', {}, (schema.required ?? []).includes(field) ? 'bắt buộc' : 'tùy chọn'),
        make('td', { class: 't2' }, each.description ?? '')));
      if (!rows.length) return make('p', { class: 't2' }, 'Không có trường riêng.');
      const head = make('tr', {}, ...['Trường', 'Kiểu', 'Có mặt', 'Ý nghĩa'].map((text) => make('th', { scope: 'col' }, text)));
      return make('div', { class: 'wrap', role: 'region', tabindex: '0', 'aria-label': `Các trường của ${name}, cuộn ngang được` },
        make('table', { class: 'tb' }, make('caption', { class: 'visually-hidden' }, `Các trường của ${name}`),
          make('thead', {}, head), make('tbody', {}, ...rows)));
    }

    function events(message) {
      const payload = follow(message).payload ?? {};
      const schema = follow(payload);
      const choices = schema.oneOf || schema.anyOf || [payload];
      return make('ul', { class: 'rel' }, ...choices.map((each) => make('li', {}, ...type(each),
        make('span', { class: 't2' }, follow(each).description ? ` – ${follow(each).description.split('\n')[0]}` : ''))));
    }

    for (const [title, action] of [['Phát ra', 'send'], ['Nhận vào', 'receive']]) {
      const operations = Object.values(spec.operations ?? {}).filter((each) => each.action === action);
      if (!operations.length) continue;
      box.append(make('h2', {}, title), ...operations.map((operation) => {
        const channel = follow(operation.channel);
        return make('section', { class: 'box', 'aria-label': channel.address },
          make('h3', { class: 'h5' }, make('span', { class: 'code' }, channel.address)),
          make('p', { class: 't2' }, operation.description ?? channel.description ?? ''),
          ...(operation.messages ?? Object.values(channel.messages ?? {})).map(events));
      }));
    }
    const kinds = Object.entries(spec.components?.schemas ?? {}).filter(([, schema]) => !schema.oneOf && !schema.anyOf);
    box.append(make('h2', {}, 'Kiểu dữ liệu'), ...kinds.map(([name, schema]) => make('section', { class: 'box', id: anchor(name), 'aria-label': name },
      make('h3', { class: 'h5' }, name), make('p', { class: 't2' }, schema.description ?? ''), fields(name, schema))));
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }

  document.addEventListener('DOMContentLoaded', () => {
    const box = document.querySelector('[data-openapi], [data-asyncapi]');
    if (box.dataset.openapi) {
      SwaggerUIBundle({
        url: box.dataset.openapi, domNode: box, deepLinking: true, validatorUrl: null,
        supportedSubmitMethods: box.dataset.tryIt === 'on' ? undefined : [],
      });
    } else {
      fetch(box.dataset.asyncapi).then((answer) => answer.json()).then((spec) => drawEvents(box, spec));
    }
  });
})();
