// Where the page is: behind the '#', so that the server need not know it, and names may hold any character.

import { pathOf } from './api.js';

export const toLease = name => `#/lease/${pathOf(name)}`;
export const toKey = name => `#/key/${pathOf(name)}`;

export function toLeases(filter) {
  const given = Object.entries(filter).filter(([name, value]) => value && !(name === 'state' && value === 'held'));
  return given.length ? `#/?${new URLSearchParams(given)}` : '#/';
}

export const toKeys = prefix => prefix ? `#/keys?${new URLSearchParams({ prefix })}` : '#/keys';

/** Reads an address: { view, name, parameters }. */
export function read(hash) {
  const [path, parameters = ''] = split(hash.replace(/^#\/?/, ''), '?');
  const [view, rest = ''] = split(path, '/');
  try {
    return { view: view || 'leases', name: decodeURIComponent(rest), parameters: new URLSearchParams(parameters) };
  } catch {
    return { view: 'unknown', name: '', parameters: new URLSearchParams() };
  }
}

function split(text, separator) {
  const place = text.indexOf(separator);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
