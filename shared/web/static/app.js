/* The little that pages do by themselves. Everything works without it.

   data-theme, data-size     buttons: light or dark, larger type (kept on this machine)
   data-help, data-keys-off  opens the key help; switches single-letter keys off
   data-list                 J and K open the next and previous link in it (data-item, or each li > a)
   data-key="a"              this letter clicks the element
   form data-guard           warns before leaving with words that were not sent, or «kept» as that event says
   data-count="id"           counts a textarea's characters into that element
   data-focus                takes the focus when the page opens (the list of errors)
   data-print, data-copy="id" prints the page; copies that element's text
   data-live                 shown while a stream is open, "mất kết nối trực tiếp" when it breaks */
(() => {
  const root = document.documentElement;
  const memory = {
    get(name) { try { return localStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, value); } catch { /* a private window forgets */ } },
  };
  const wished = memory.get('theme') || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  root.dataset.bsTheme = wished;
  root.classList.add('js');
  root.classList.toggle('bigger', memory.get('size') === 'bigger');
  root.classList.toggle('keys-off', memory.get('keys') === 'off');

  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element && element.getClientRects().length > 0;

  function openHelp() {
    const help = document.getElementById('help');
    if (help && !help.open) help.showModal();
  }

  function step(by) {
    const items = all('[data-list] [data-item], [data-list]:not(:has([data-item])) li > a').filter(shown);
    if (!items.length) return;
    const focused = items.indexOf(document.activeElement);
    const here = focused >= 0 ? focused : items.findIndex((item) => item.hasAttribute('aria-current'));
    const next = items[here < 0 ? 0 : Math.min(Math.max(here + by, 0), items.length - 1)];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
    if (items.indexOf(next) !== here) next.click();
  }

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog')) return;
    if (root.classList.contains('keys-off')) return;
    const key = event.key.toLowerCase();
    if (event.repeat && key !== 'j' && key !== 'k') return; // a key held down does one thing once
    if (key === '?') openHelp();
    else if (key === 'j') step(1);
    else if (key === 'k') step(-1);
    else if (key === '/' && shown(document.querySelector('input[type=search]'))) document.querySelector('input[type=search]').focus();
    else {
      const target = all('[data-key]').find((each) => each.dataset.key === key && shown(each) && !each.disabled);
      if (!target) return;
      // A field takes the focus, a fold's first field too; a button or a box is pressed. A letter never closes
      // a fold: what is typed next would be taken for letters.
      if (target.matches('summary')) {
        const fold = target.parentElement;
        fold.open = true;
        (fold.querySelector('input:not([type=hidden]), select, textarea') || target).focus();
      } else if (target.matches('input:not([type=checkbox]), select, textarea')) target.focus();
      else target.click();
    }
    event.preventDefault();
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-theme], [data-size], [data-help], [data-print], [data-copy]');
    if (!button) return;
    if ('theme' in button.dataset) {
      root.dataset.bsTheme = root.dataset.bsTheme === 'dark' ? 'light' : 'dark';
      memory.set('theme', root.dataset.bsTheme);
      document.dispatchEvent(new CustomEvent('theme'));
    } else if ('size' in button.dataset) {
      const bigger = root.classList.toggle('bigger');
      memory.set('size', bigger ? 'bigger' : '');
      button.setAttribute('aria-pressed', String(bigger));
    } else if ('help' in button.dataset) openHelp();
    else if ('print' in button.dataset) print();
    else navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent.trim())
      .then(() => { button.lastElementChild.textContent = root.lang === 'en' ? 'Copied' : 'Đã chép'; });
  });

  document.addEventListener('change', (event) => {
    if (!event.target.matches('[data-keys-off]')) return;
    root.classList.toggle('keys-off', event.target.checked);
    memory.set('keys', event.target.checked ? 'off' : '');
  });

  const dirty = new Set();
  document.addEventListener('input', (event) => {
    const form = event.target.closest('form[data-guard]');
    if (form) dirty.add(form);
    const counter = event.target.dataset?.count && document.getElementById(event.target.dataset.count);
    if (counter) {
      const left = (event.target.maxLength - event.target.value.length).toLocaleString(root.lang);
      counter.textContent = root.lang === 'en' ? `${left} characters left` : `Còn ${left} ký tự`;
    }
  });
  document.addEventListener('submit', (event) => dirty.delete(event.target));
  document.addEventListener('kept', (event) => dirty.delete(event.target));
  window.addEventListener('beforeunload', (event) => {
    if ([...dirty].some((form) => form.isConnected)) event.preventDefault();
  });

  function live(connected) {
    all('[data-live]').forEach((sign) => {
      sign.hidden = false;
      sign.classList.toggle('lost', !connected);
      sign.firstElementChild.textContent = connected ? 'Trực tiếp' : 'Mất kết nối trực tiếp';
    });
  }
  document.addEventListener('htmx:sse:after:connection', () => live(true));
  document.addEventListener('htmx:sse:error', () => live(false));
  document.addEventListener('htmx:sse:before:connection', (event) => { if (event.detail?.connection?.attempt > 0) live(false); });

  document.addEventListener('htmx:sse:after:message', () => live(true));
  // A connection that has gone silent tells nobody: it is opened anew once there is a network again.
  window.addEventListener('offline', () => live(false));
  window.addEventListener('online', () => all('[hx-sse\\:connect]').forEach((stream) => {
    const fresh = stream.cloneNode(true);
    stream.replaceWith(fresh);
    window.htmx?.process(fresh);
  }));

  document.addEventListener('DOMContentLoaded', () => {
    all('[data-size]').forEach((button) => button.setAttribute('aria-pressed', String(root.classList.contains('bigger'))));
    all('[data-keys-off]').forEach((box) => { box.checked = root.classList.contains('keys-off'); });
    document.querySelector('[data-focus]')?.focus();
  });
})();
