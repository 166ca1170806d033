// Owns the icons: lines on a grid of 16, in the colour of the text beside them. They are heard by nobody; a button that shows nothing else
// has a name of its own.

const PATHS = {
  alert: 'M8 2 1.6 13.2h12.8L8 2Zm0 4.6v3M8 11.6v.1',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  bell: 'M8 2.2a4 4 0 0 0-4 4c0 3.6-1.5 4.6-1.5 5.3h11c0-.7-1.5-1.7-1.5-5.3a4 4 0 0 0-4-4ZM6.6 13.8h2.8',
  check: 'm3 8.5 3.2 3L13 4.8',
  close: 'm4 4 8 8m0-8-8 8',
  copy: 'M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2',
  down: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10',
  file: 'M4 1.8h5l3.2 3.2v9.2H4zM9 1.8V5h3.2',
  files: 'M2 4.2c0-.7.5-1.2 1.2-1.2h3l1.4 1.6h5.2c.7 0 1.2.5 1.2 1.2v5.8c0 .7-.5 1.2-1.2 1.2H3.2c-.7 0-1.2-.5-1.2-1.2z',
  groups:
    'M5.6 7.2a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM1.6 13.2c0-2.3 1.7-3.9 4-3.9s4 1.6 4 3.9M10.6 3a2.2 2.2 0 0 1 0 4.1M11.8 9.6c1.6.4 2.6 1.8 2.6 3.6',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-6.6v3.4M8 5v.1',
  key: 'M10.3 9.2a3.5 3.5 0 1 0-3.2-2.1L2 12.2V14h2.3v-1.6h1.6v-1.6h1.2l1.5-1.7c.5.1 1.1.1 1.7.1ZM11 5.1v-.1',
  logout: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3m2.6-3H6',
  more: 'M3.2 8v.1M8 8v.1M12.8 8v.1',
  network:
    'M8 4.6v3M8 7.6 4 11m4-3.4L12 11M9.6 3a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0ZM5 12.4a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0ZM14.2 12.4a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0Z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.5 8z',
  plus: 'M8 3v10M3 8h10',
  search: 'M7 11.8A4.8 4.8 0 1 0 7 2.2a4.8 4.8 0 0 0 0 9.6ZM10.5 10.5l3.3 3.3',
  settings:
    'M2.5 4.5h6m3.4 0h1.6M2.5 11.5h1.6m3.4 0h6M10.2 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM5.8 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z',
  transfers: 'M5 13V3.2M2.4 5.8 5 3.2l2.6 2.6M11 3v9.8M8.4 10.2l2.6 2.6 2.6-2.6',
  trash: 'M3 4.5h10M6.2 4.5V2.8h3.6v1.7M4.4 4.5l.6 9h6l.6-9M6.8 7v4M9.2 7v4',
  up: 'M8 11V3M4.5 6.5 8 3l3.5 3.5M3 13.5h10',
  user: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 13.8c0-2.7 2.2-4.4 5.2-4.4s5.2 1.7 5.2 4.4',
  wait: 'M8 2a6 6 0 1 1-6 6',
} as const;

/** What icons there are. */
export type IconName = keyof typeof PATHS;

/** An icon. `class` beside its own. */
export function Icon({ name, class: more = '' }: { readonly name: IconName; readonly class?: string }) {
  return (
    <svg class={`icon ${more}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
