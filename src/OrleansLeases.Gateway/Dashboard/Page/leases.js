// The leases that the page knows: read in pages, kept right by the watch, and read again where they are looked at.

import { batch, call, query } from './api.js';
import { Known } from './known.js';

const pageSize = 1000;
const most = 20_000;
const ends = new Set(['released', 'expired', 'transferred', 'broken']);

/** How often a lease that is looked at is read again: its renewals are no events. */
export const freshFor = row => {
  const ttl = Math.min(...row.holders.map(holder => holder.ttlMs ?? 6000), row.holders.length ? Infinity : 30_000);
  return Math.min(5000, Math.max(1000, ttl / 6));
};

/** When what is shown as left began to be left, or null: of several holders, that of the one with the least. */
export function countdown(row, now) {
  const passed = now - row.at;
  if (row.state === 'delayed') return { left: (row.availableInMs ?? 0) - passed, of: row.availableInMs ?? 0, isBound: false };
  let least = null;
  for (const holder of row.holders) {
    if (holder.remainingMs === undefined) continue;
    const left = holder.remainingMs - passed;
    // Listings are read from what is stored, where a deadline has a bound only.
    if (!least || left < least.left) least = { left, of: holder.ttlMs, isBound: row.isStored && holder.remainingMs > holder.ttlMs };
  }

  return least;
}

const isSame = (left, right) => left.sequence === right.sequence
  && left.holders.length === right.holders.length
  && left.holders.every((holder, i) => holder.token === right.holders[i].token);

export class Leases extends EventTarget {
  #rows = new Known(row => row.sequence);
  #filter = { prefix: '', owner: '', state: 'held' };
  #loading = null;
  #again = null;
  #reading = false;
  isFull = false;
  isLoaded = false;
  problem = null;

  get filter() {
    return this.#filter;
  }

  get names() {
    return this.#rows.names;
  }

  get(name) {
    return this.#rows.get(name);
  }

  /** Shows others from now on. */
  show(filter) {
    this.#filter = filter;
    this.#rows.clear();
    this.isLoaded = false;
    this.#changed();
  }

  /** Reads all again. What is shown meanwhile stays. */
  async load() {
    this.#loading?.abort();
    clearTimeout(this.#again);
    const loading = this.#loading = new AbortController();
    const seen = new Set();
    this.#rows.begin();
    let after;
    let wait = 1000;
    try {
      do {
        const page = await call(`v1/leases${query({ ...this.#filter, pageSize, after })}`, { signal: loading.signal });
        const at = performance.now();
        for (const lease of page.leases) {
          seen.add(lease.resource);
          this.#accept(lease, at, true);
        }

        after = page.next;
        this.isFull = after !== undefined && seen.size >= most;
        this.#changed();
      } while (after !== undefined && !this.isFull);
      this.#rows.end(seen);
      [this.isLoaded, this.problem] = [true, null];
    } catch (error) {
      if (loading.signal.aborted) return;
      this.problem = error;
      if (error.status !== 401) {
        wait = error.retryAfter ?? 2000;
        this.#again = setTimeout(() => this.load(), wait);
      }
    }

    this.#changed();
  }

  /** Takes an event of the watch. */
  take({ name, data }) {
    const { resource, sequence, owner, token } = data;
    if (!resource.startsWith(this.#filter.prefix)) return;
    if (sequence <= this.#rows.lastOf(resource)) return;
    const row = this.#rows.get(resource) ?? { resource, state: 'free', holders: [], at: 0, lastToken: 0 };
    row.sequence = sequence;
    // Of what a read would tell, the event has a part. What is looked at is read.
    row.at = row.at || performance.now();
    row.readAt = -Infinity;
    if (name === 'granted') {
      row.holders = [...row.holders.filter(holder => holder.token !== token), { owner, token, metadata: {}, keys: [] }];
      row.lastToken = token;
      row.state = 'held';
    } else if (name === 'breaking') {
      row.breaking = { token, reason: data.reason };
    } else if (ends.has(name)) {
      row.holders = row.holders.filter(holder => holder.token !== token);
      if (row.holders.length === 0) row.state = 'free';
      if (row.breaking?.token === token) row.breaking = undefined;
    }

    this.#keep(row);
    this.#changed();
  }

  /** Reads again those of the names that were last read too long ago. */
  async refresh(names) {
    const now = performance.now();
    const due = names.filter(name => {
      const row = this.#rows.get(name);
      return row && now - (row.readAt ?? -Infinity) > freshFor(row);
    });
    if (due.length === 0 || this.#reading) return;
    this.#reading = true;
    try {
      const { at, results } = await batch(due.map(resource => ({ op: 'get', resource })));
      results.forEach(({ status, body }, i) => {
        const row = this.#rows.get(due[i]);
        if (row) row.readAt = performance.now();
        if (status === 200) this.#accept(body, at, false);
      });
      this.#changed();
    } catch (error) {
      // The watch says when the server is lost. Whatever else it was, the next round asks again, and not before.
      for (const name of due) if (this.#rows.get(name)) this.#rows.get(name).readAt = now + (error.retryAfter ?? 1000);
    } finally {
      this.#reading = false;
    }
  }

  #accept(lease, at, isStored) {
    if (lease.sequence < this.#rows.lastOf(lease.resource)) return;
    const known = this.#rows.get(lease.resource);
    if (isStored && known && !known.isStored && isSame(lease, known)) {
      // The deadline that was read from its keeper is better than what is stored.
      this.#rows.put(lease.resource, known);
      return;
    }

    const breaking = lease.holders.some(holder => holder.token === known?.breaking?.token) ? known.breaking : undefined;
    this.#keep({
      waiters: known?.waiters, ...lease, at, isStored, breaking, readAt: isStored ? -Infinity : performance.now(),
    });
  }

  #keep(row) {
    const { state, owner } = this.#filter;
    const isHeld = row.holders.length > 0;
    const isWanted = (state === 'any' || (state === 'held') === isHeld)
      && (owner === '' || row.holders.some(holder => holder.owner === owner));
    if (isWanted) this.#rows.put(row.resource, row);
    else this.#rows.drop(row.resource, row.sequence);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
