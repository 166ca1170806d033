// Owns how sizes, rates, times and ids read for a person. Pure; machine output never passes through here.

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `0 B`, `1023 B`, `1.5 KiB`, `1.0 GiB`: at most four significant characters and a unit. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let amount = bytes / 1024;
  let unit = 0;
  while (amount >= 1023.95 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount.toFixed(1)} ${UNITS[unit]}`;
}

/** `0:07`, `12:30`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, '0');
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`;
}

/** `42%`, rounded down so that 100% means all of it; an empty whole counts as done. */
export function formatPercent(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((part / whole) * 100)}%`;
}

/** RFC 3339 in UTC as `2026-03-01 12:30:05`, or a dash for what has not happened. */
export function formatTime(time: string | null): string {
  return time === null ? '-' : time.slice(0, 19).replace('T', ' ');
}

/** The first twelve characters of an id: enough for a person to tell peers and contents apart. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
