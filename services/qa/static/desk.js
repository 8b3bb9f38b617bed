/* The working pages of hỏi đáp. Everything works without it.

   Ctrl+Enter sends the form that is being written; Esc leaves the field, so that the letters work again.
   form data-act="address"   what is typed is kept there, a moment after each change; data-kept says since when
   data-bulk                 the line above the list: data-all ticks all, data-picked counts
   The open question's row is brought into sight. */
(() => {
  const WAIT = 1200;
  const waiting = new Map();

  document.addEventListener('keydown', (event) => {
    const form = event.target.closest?.('form[data-guard]');
    if (form && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector('button.btn:not([name])'));
    }
    if (event.key === 'Escape' && form && event.target.matches('input, textarea, select')) {
      const fold = event.target.closest('details');
      if (fold) fold.querySelector('summary').focus(); else event.target.blur();
    }
  });

  function told(form, words) {
    const sign = form.querySelector('[data-kept]');
    if (!sign) return;
    sign.hidden = false;
    sign.querySelector('[data-kept-text]').textContent = words;
  }

  async function keep(form, last) {
    clearTimeout(waiting.get(form));
    waiting.delete(form);
    try {
      const answer = await fetch(form.dataset.act, { method: 'POST', body: new URLSearchParams(new FormData(form)), keepalive: last });
      if (!answer.ok) throw new Error(answer.status);
      const { saved } = await answer.json();
      told(form, `Bản nháp lưu lúc ${saved}.`);
      if (!waiting.has(form)) form.dispatchEvent(new Event('kept', { bubbles: true }));
    } catch {
      told(form, 'Chưa lưu được bản nháp; sẽ thử lại khi bạn viết tiếp.');
    }
  }

  document.addEventListener('input', (event) => {
    const form = event.target.closest('form[data-act]');
    if (!form || !form.dataset.act) return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => keep(form), WAIT));
  });
  document.addEventListener('submit', (event) => {
    clearTimeout(waiting.get(event.target));
    waiting.delete(event.target);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) [...waiting.keys()].forEach((form) => keep(form, true));
  });

  const boxes = () => [...document.querySelectorAll('input[form=bulk]')];
  function count() {
    const picked = document.querySelector('[data-picked]');
    if (picked) picked.textContent = boxes().filter((box) => box.checked).length;
  }
  document.addEventListener('change', (event) => {
    if (event.target.matches('[data-all]')) boxes().forEach((box) => { box.checked = event.target.checked; });
    count();
  });
  document.addEventListener('htmx:after:swap', count);

  document.querySelector('.qs [aria-current]')?.scrollIntoView({ block: 'nearest' });
})();
