// Names in the order of the service, which is that of their bytes.

export function compare(left, right) {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    // UTF-16 has what is beyond its first 65,536 characters before the last of those; UTF-8 does not.
    if (a !== b) return (a >= 0xd800 && b >= 0xd800) ? fix(a) - fix(b) : a - b;
  }

  return left.length - right.length;
}

const fix = unit => unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;

/** The place of a name in a sorted list, or where it would be. */
export function placeOf(names, name) {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(names[middle], name) < 0) low = middle + 1;
    else high = middle;
  }

  return low;
}

/** Names that are sorted, and what each stands for. */
export class Sorted {
  names = [];
  #rows = new Map();

  get size() {
    return this.names.length;
  }

  get(name) {
    return this.#rows.get(name);
  }

  set(name, row) {
    if (!this.#rows.has(name)) {
      const last = this.names.at(-1);
      if (last === undefined || compare(last, name) < 0) this.names.push(name);
      else this.names.splice(placeOf(this.names, name), 0, name);
    }

    this.#rows.set(name, row);
  }

  delete(name) {
    if (this.#rows.delete(name)) this.names.splice(placeOf(this.names, name), 1);
  }

  /** Leaves only what is to be kept. */
  retain(keep) {
    this.names = this.names.filter(name => keep(name) || !this.#rows.delete(name));
  }

  clear() {
    this.names = [];
    this.#rows.clear();
  }
}
