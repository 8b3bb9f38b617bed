/* The working pages of hỏi đáp. Everything works without it.

   Ctrl+Enter sends the form that is being written; Esc leaves the field, so that the letters work again.
   The open question's row is brought into sight. */
(() => {
  document.addEventListener('keydown', (event) => {
    const form = event.target.closest?.('form[data-act]');
    if (form && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector('button.btn:not([name])'));
    }
    if (event.key === 'Escape' && event.target.matches?.('input, textarea, select')) {
      const fold = event.target.closest('details');
      if (fold) fold.querySelector('summary').focus(); else event.target.blur();
    }
  });
  document.querySelector('.qs [aria-current]')?.scrollIntoView({ block: 'nearest' });
})();
