// What the history of a resource says, in words.

import { h } from './dom.js';
import { duration, many, shown, time } from './text.js';

/** Each grant, from its beginning to its end, as far as the events tell: { token, owner, from, end, order, to }. */
export function grants(events) {
  const byToken = new Map();
  events.forEach((event, i) => {
    const grant = byToken.get(event.token) ?? { token: event.token, owner: event.owner };
    byToken.set(event.token, grant);
    if (event.kind === 'granted') grant.from = event.at;
    else if (event.kind === 'breaking') grant.order = event;
    else grant.end = event;
    if (event.kind === 'transferred') grant.to = events.slice(i + 1).find(next => next.kind === 'granted')?.owner;
  });
  return [...byToken.values()];
}

/** Why a grant ended, after the name of its owner. */
export function reasonOf(grant) {
  const { kind, reason } = grant.end;
  const said = reason ? [' (', shown(reason, 'reason'), ')'] : [];
  switch (kind) {
    case 'released': return reason ? ['no longer has it: the service released it', said] : ['released it'];
    case 'expired': return ['let it run out: it did not renew before its deadline', said];
    case 'transferred': return grant.to ? ['handed it to ', shown(grant.to, 'owner')] : ['handed it to another owner'];
    case 'broken': return ['lost it: it was broken', said];
    default: return [`lost it: ${kind}`, said];
  }
}

/** Why a grant ended, by itself. */
export function endOf(grant) {
  const { kind, reason } = grant.end;
  const said = reason ? [': ', shown(reason, 'reason')] : [];
  const words = {
    released: reason ? ['Released by the service', said] : ['Released by its holder'],
    expired: ['Not renewed before its deadline', said],
    transferred: grant.to ? ['Handed to ', shown(grant.to, 'owner')] : ['Handed to another owner'],
    broken: ['Broken', said],
  };
  const after = grant.from ? h('span', { class: 'more' }, ` after ${duration(new Date(grant.end.at) - new Date(grant.from))}`) : null;
  return [words[kind] ?? [kind, said], after];
}

const lasted = grant => grant.from ? [`, after ${duration(new Date(grant.end.at) - new Date(grant.from))}`] : [];

/** A sentence on the last grant that ended. */
export function lastEnd(events) {
  const ended = grants(events).filter(grant => grant.end).sort((a, b) => a.end.sequence - b.end.sequence).at(-1);
  if (!ended) return null;
  return ['Last, ', shown(ended.owner, 'owner'), ` (token ${ended.token}) `, reasonOf(ended), ', at ', time(ended.end.at), '.'];
}

/** Why an owner does not have a resource: sentences. */
export function whyNot(owner, lease, history) {
  const held = lease.holders.find(holder => holder.owner === owner);
  if (held) return [sentence(shown(owner, 'owner'), ` has it, with token ${held.token}.`)];
  const own = grants(history.events).filter(grant => grant.owner === owner && grant.end).at(-1);
  const told = own
    ? sentence(shown(owner, 'owner'), ` had it with token ${own.token} and `, reasonOf(own), ', at ', time(own.end.at), lasted(own), '.')
    : sentence(shown(owner, 'owner'), history.firstSequence > 1
      ? ` had it at no time since event ${history.firstSequence}; what was before is no longer stored.`
      : ' never had it. A request that was refused, or waits, is no event.');
  const place = lease.queue?.findIndex(waiter => waiter.owner === owner) ?? -1;
  const waits = place < 0 ? null : sentence(shown(owner, 'owner'), ` waits for it: number ${place + 1} of the queue.`);
  return [told, now(lease), waits];
}

/** How many requests wait, as the beginning of a sentence. */
const waiting = number => `${many(number, 'request')} ${number === 1 ? 'waits' : 'wait'}`;

/** Who waits, in the order in which they will be served. */
export function queueOf({ waiters, queue = [] }) {
  if (!waiters) return [h('p', {}, 'No request waits for it.')];
  const places = queue.map(waiter => h('li', {},
    shown(waiter.owner, 'owner'), waiter.mode === 'shared' ? ', to share it,' : '', ` for ${duration(waiter.waitedMs)}`));
  const others = waiters - queue.length;
  return [
    h('p', {}, `${waiting(waiters)} for it, first come, first served:`),
    h('ol', {}, places),
    others > 0 ? h('p', {}, `and ${many(others, 'other')}.`) : null,
  ];
}

function now(lease) {
  if (lease.state === 'delayed') return sentence('Nobody has it: a delay runs, during which it is granted to no other owner.');
  if (lease.holders.length === 0) return sentence('Nobody has it now: the next request gets it.');
  const names = lease.holders.slice(0, 3).flatMap((holder, i) => [i ? ', ' : '', shown(holder.owner, 'owner')]);
  const others = lease.holders.length - 3;
  const waits = lease.waiters ? `; ${waiting(lease.waiters)}, first come, first served` : '';
  return sentence('It is held by ', names, others > 0 ? ` and ${many(others, 'other')}` : '', waits, '.');
}

const sentence = (...parts) => h('p', {}, parts);
