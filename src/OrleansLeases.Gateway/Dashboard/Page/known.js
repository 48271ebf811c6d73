// What is known of names, by answers and events that overtake each other.

import { Sorted } from './order.js';

const mostGone = 5000;

/** Rows by their names, each with the number of the last change that it shows: a sequence, or a version. */
export class Known extends Sorted {
  #numberOf;
  // Rows from before the reading that is under way: a service that has lost its memory meanwhile begins to count anew.
  #unsure = new Set();
  // The last change of names that have no row any more: an answer that was on its way meanwhile does not bring them back.
  #gone = new Map();

  constructor(numberOf) {
    super();
    this.#numberOf = numberOf;
  }

  /** Begins to read all again; what is shown meanwhile stays. */
  begin() {
    this.#unsure = new Set(this.names);
    this.#gone.clear();
  }

  /** Ends it: what was not seen, nor told of meanwhile, is no more. */
  end(seen) {
    this.retain(name => seen.has(name) || !this.#unsure.has(name));
    this.#unsure.clear();
  }

  /** The number of the last change that is known of a name; what is older is no news. */
  lastOf(name) {
    if (this.#unsure.has(name)) return 0;
    const row = this.get(name);
    return row ? this.#numberOf(row) : this.#gone.get(name) ?? 0;
  }

  put(name, row) {
    this.set(name, row);
    this.#unsure.delete(name);
    this.#gone.delete(name);
  }

  drop(name, number) {
    this.delete(name);
    this.#unsure.delete(name);
    this.#gone.set(name, number);
    if (this.#gone.size > mostGone) this.#gone.delete(this.#gone.keys().next().value);
  }

  clear() {
    super.clear();
    this.begin();
  }
}
