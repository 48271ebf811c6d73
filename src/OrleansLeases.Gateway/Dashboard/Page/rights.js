// Who the reader is to the service, and what that one may do. The service decides; the page only leaves out what would be refused.

import { call, hasKey, useKey } from './api.js';
import { fill, h } from './dom.js';
import { shown } from './text.js';

export class Rights {
  principal = null;
  #rules = [];

  /** Whether some rule gives the right on a name: a prefix ends at a segment. */
  may(verb, name) {
    return this.#rules.some(({ prefix, verbs }) =>
      verbs.includes(verb) && (prefix === '' || name === prefix || name.startsWith(`${prefix}/`)));
  }

  get mayReadSomething() {
    return this.#rules.some(({ verbs }) => verbs.includes('read'));
  }

  async load() {
    const { principal, rules } = await call('v1/whoami');
    [this.principal, this.#rules] = [principal, rules];
  }
}

/** Asks for a key until the service takes it. */
export function askForKey(rights, detail) {
  return new Promise(resolve => {
    const key = h('input', { id: 'key', type: 'password', required: true, autocomplete: 'current-password', spellcheck: 'false' });
    const problem = h('p', { class: 'problem', role: 'alert' });
    const dialog = h('dialog', { 'aria-labelledby': 'key-title' },
      h('form', { onsubmit: event => send(event) },
        h('h2', { id: 'key-title' }, 'This service wants a key'),
        h('input', { type: 'text', name: 'username', value: location.host, autocomplete: 'username', hidden: true }),
        h('label', { class: 'field' }, h('span', {}, 'API key or token'), key),
        h('p', { class: 'note' }, 'The page keeps it in its memory alone, until it is closed or loaded again.'),
        problem,
        h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Open'))));
    // Escape leads nowhere: without a key there is nothing to be seen.
    dialog.addEventListener('close', () => rights.principal === null && dialog.showModal());

    async function send(event) {
      event.preventDefault();
      useKey(key.value.trim());
      fill(problem);
      try {
        await rights.load();
        dialog.remove();
        resolve();
      } catch (error) {
        useKey(null);
        fill(problem, error.message);
      }
    }

    if (detail) fill(problem, detail);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Says who the reader is, with a way to be nobody again. */
export function drawReader(element, rights, signOut) {
  fill(element, rights.principal === null || rights.principal === 'anonymous' ? null
    : [shown(rights.principal, 'owner'), hasKey() ? h('button', { type: 'button', class: 'plain' }, 'Forget the key') : null]);
  element.querySelector('button')?.addEventListener('click', signOut);
}
