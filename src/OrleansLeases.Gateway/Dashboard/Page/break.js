// Ends a lease against its holder's will, with a reason and a notice.

import { call, newId } from './api.js';
import { fill, h, toast } from './dom.js';
import { duration, shown } from './text.js';

/** Asks how, and does it. */
export function askToBreak(resource, holder, done) {
  const reason = h('input', { id: 'reason', required: true, maxlength: 400, autocomplete: 'off' });
  const notice = h('input', { id: 'notice', type: 'number', min: 0, max: 86_400, step: 'any', value: 30, required: true });
  const force = h('input', { id: 'force', type: 'checkbox' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const submit = h('button', { type: 'submit', class: 'danger' }, 'Break the lease');
  const dialog = h('dialog', { 'aria-labelledby': 'break-title' },
    h('form', { onsubmit: event => send(event) },
      h('h2', { id: 'break-title' }, 'Break this lease?'),
      h('p', {}, shown(resource), ' is held by ', shown(holder.owner, 'owner'), ` with token ${holder.token}.`),
      h('label', { class: 'field' }, h('span', {}, 'Reason, which the holder and the history are told'), reason),
      h('label', { class: 'field short' }, h('span', {}, 'Notice in seconds'), notice),
      h('p', { class: 'note' }, 'Renewals extend the lease no further than the notice. It ends no earlier than its holder was told.'),
      h('label', { class: 'check' }, force, h('span', {}, 'Force: end it after the notice, whatever its holder was told')),
      h('p', { class: 'note' }, 'The holder may go on for as long as it was told. Only a resource that checks tokens refuses it then.'),
      problem,
      h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), submit)));
  // One id for one intention: sent again, it is the same break.
  let requestId = newId();
  dialog.addEventListener('input', () => {
    requestId = newId();
  });
  dialog.addEventListener('close', () => dialog.remove());

  async function send(event) {
    event.preventDefault();
    submit.disabled = true;
    fill(problem);
    try {
      const graceMs = Math.round(notice.valueAsNumber * 1000);
      const body = { resource, token: holder.token, graceMs, force: force.checked, reason: reason.value, requestId };
      const { endsInMs } = await call('v1/leases/break', { method: 'POST', body });
      dialog.close();
      toast(endsInMs > 0 ? `The lease ends in ${duration(endsInMs)} at the latest.` : 'The lease has ended.');
      done();
    } catch (error) {
      fill(problem, error.message, error.type === 'outcome-unknown' || error.status === 0 ? ' Try again: it is applied once.' : '');
    } finally {
      submit.disabled = false;
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}
