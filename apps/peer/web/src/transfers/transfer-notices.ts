// Owns how the end of a transfer reaches a person: as news on the page, and through the browser when the page is not looked at and the
// person has allowed that.
import { effect, signal } from '@preact/signals';
import { hrefOf } from '../routing/route.ts';
import { go } from '../routing/router.ts';
import { tell } from '../state/news.ts';
import { user } from '../state/session.ts';
import { onTransferNews } from './transfer-store.ts';
import type { TransferNews } from './transfer-words.ts';

/** `none`: this browser has no notifications to give, or has them only for a page from this machine. */
export type NoticePermission = NotificationPermission | 'none';

/** Whether the browser may show notifications. */
export const noticePermission = signal<NoticePermission>(permissionNow());

/** Asks the person, through the browser. */
export async function askForNotices(): Promise<void> {
  await Notification.requestPermission();
  noticePermission.value = permissionNow();
}

/** Says that a transfer has begun, with the way to it. */
export function tellBegun(text: string, transferId: string | undefined): void {
  const link = transferId === undefined ? null : linkTo(transferId);
  tell({ tone: 'info', text, ...(link !== null && { link }) });
}

effect(() => (user.value === '' ? undefined : onTransferNews(show)));

function show({ kind, text }: TransferNews, transferId: string): void {
  tell({ tone: kind, text, link: linkTo(transferId) });
  if (!document.hidden || permissionNow() !== 'granted') return;
  const notice = new Notification('Cohort', { body: text, tag: transferId });
  notice.addEventListener('click', () => {
    globalThis.focus();
    go({ place: 'transfers', transferId });
    notice.close();
  });
}

function linkTo(transferId: string): { readonly href: string; readonly label: string } {
  return { href: hrefOf({ place: 'transfers', transferId }), label: 'Show it' };
}

function permissionNow(): NoticePermission {
  return globalThis.isSecureContext && 'Notification' in globalThis ? Notification.permission : 'none';
}
