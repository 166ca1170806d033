// Owns how high the rows of long lists are: one line of text and one beside it, higher where fingers are.
import { type ReadonlySignal, signal } from '@preact/signals';

const ROW_HEIGHT = 52;
const PHONE_ROW_HEIGHT = 72;

const phone = globalThis.matchMedia('(max-width: 720px)');
const height = signal(phone.matches ? PHONE_ROW_HEIGHT : ROW_HEIGHT);
phone.addEventListener('change', () => (height.value = phone.matches ? PHONE_ROW_HEIGHT : ROW_HEIGHT));

/** In CSS pixels; the style sheet takes it from each row. */
export const rowHeight: ReadonlySignal<number> = height;
