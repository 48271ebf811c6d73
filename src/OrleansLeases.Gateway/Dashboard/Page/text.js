// What is written on the page: names as they are, durations, times.

// The same as VisibleText shows as escapes on a terminal: what has no look of its own, or turns the direction of what follows.
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0]/u;

const escape = character => {
  const code = character.codePointAt(0);
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** A text without any character that is not seen: for titles and labels. */
export const plain = text => hidden.test(text) ? [...text].map(one => hidden.test(one) ? escape(one) : one).join('') : text;

/** A name, an owner or a value as an element: only text nodes, apart from what surrounds it, with what is not seen made visible. */
export function shown(text, className = 'name') {
  const element = document.createElement('bdi');
  element.className = className;
  if (!hidden.test(text)) {
    element.textContent = text;
    return element;
  }

  let run = '';
  const end = () => {
    if (run) element.append(run);
    run = '';
  };
  for (const character of text) {
    if (!hidden.test(character)) {
      run += character;
      continue;
    }

    end();
    const mark = document.createElement('span');
    mark.className = 'escape';
    mark.textContent = escape(character);
    element.append(mark);
  }

  end();
  return element;
}

const two = number => String(number).padStart(2, '0');

/** A duration, in as many characters as it is long. */
export function duration(ms) {
  if (ms < 0) ms = 0;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)} m` : `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A duration that is set, such as a time to live: without a fraction that is zero. */
export const setting = ms => ms % 1000 === 0 || ms >= 10_000 ? duration(ms).replace('.0', '') : `${ms} ms`;

export const count = number => number.toLocaleString('en');

export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** A time of the service's clock, in the reader's zone. */
export function time(at) {
  const moment = new Date(at);
  const element = document.createElement('time');
  element.dateTime = at;
  element.title = at;
  const today = day.format(moment) === day.format(new Date());
  element.textContent = today ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
  return element;
}
