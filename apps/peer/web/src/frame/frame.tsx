// Owns the frame around every place: the sidebar, which is a bar at the bottom of a phone, a way past it for the keyboard, and the banners
// that say the truth about the peer and its trackers.
import type { ComponentChildren } from 'preact';
import { Banners } from './banners.tsx';
import { Sidebar } from './sidebar.tsx';

/** The frame. What it holds brings its own header and `<main>`: see `Screen`. */
export function Frame({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="frame">
      <button type="button" class="button skip" onClick={() => document.querySelector<HTMLElement>('main')?.focus()}>
        Skip to content
      </button>
      <Sidebar />
      <div class="main-side">
        <Banners />
        {children}
      </div>
    </div>
  );
}
