// Owns how sizes, rates, times and counts read on the page. Pure. The command line has the same units in its own words.

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const DAY_MS = 86_400_000;

/** `0 B`, `1023 B`, `1.5 KiB`, `1.0 GiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let amount = bytes / 1024;
  let unit = 0;
  while (amount >= 1023.95 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount.toFixed(1)} ${UNITS[unit]}`;
}

/** `1.5 MiB/s`; an empty text for nothing that moves. */
export function rateText(bytesPerSecond: number): string {
  return bytesPerSecond <= 0 ? '' : `${bytesText(bytesPerSecond)}/s`;
}

/** `7 s`, `12 min`, `3 h 5 min`, `2 d 4 h`: two units at most. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  if (days === 0) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** `42 %`, rounded down, so that 100 % means all of it; an empty whole is there. */
export function percentText(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((part / whole) * 100)} %`;
}

/** `1 piece`, `12,000 pieces`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** The hour of today, the weekday of this week, or the date, in the reader's own time: as short as it can be. */
export function whenText(time: string, nowMs: number): string {
  const moment = new Date(time);
  const now = new Date(nowMs);
  const clock = `${twoDigits(moment.getHours())}:${twoDigits(moment.getMinutes())}`;
  if (moment.toDateString() === now.toDateString()) return clock;
  const isOfThisWeek = Math.abs(nowMs - moment.getTime()) < 6 * DAY_MS;
  return isOfThisWeek ? `${WEEKDAYS[moment.getDay()]} ${clock}` : dateText(moment);
}

/** `2026-11-28 08:30`, in the reader's own time: for a title and a detail. */
export function momentText(time: string): string {
  const moment = new Date(time);
  return `${dateText(moment)} ${twoDigits(moment.getHours())}:${twoDigits(moment.getMinutes())}`;
}

/** The first twelve characters of an id: enough to tell them apart. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

function dateText(moment: Date): string {
  return `${moment.getFullYear()}-${twoDigits(moment.getMonth() + 1)}-${twoDigits(moment.getDate())}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
