// Owns where news appear: above everything, dialogs too, read out by screen readers, gone after a while unless somebody is at them.
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { dismiss, type News, news } from '../state/news.ts';

const SHOWN_MS = 6_000;

/** The place of news; stands once on the page. */
export function NewsPlace() {
  const place = useRef<HTMLDivElement>(null);
  const shown = news.value;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    // Shown anew it is above a dialog that was opened meanwhile.
    if (element.matches(':popover-open')) element.hidePopover();
    if (shown.length > 0) element.showPopover();
  }, [shown]);
  return (
    <div ref={place} class="news" popover="manual" role="log" aria-label="News" aria-live="polite">
      {shown.map((each) => (
        <NewsItem key={each.id} item={each} />
      ))}
    </div>
  );
}

function NewsItem({ item }: { readonly item: News }) {
  const { id, tone, text, link } = item;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (tone === 'bad') return;
    const timer = setInterval(() => {
      if (element.current?.matches(':hover, :focus-within') !== true) dismiss(id);
    }, SHOWN_MS);
    return () => clearInterval(timer);
  }, [id, tone]);
  return (
    <div ref={element} class={`news-item ${tone}`}>
      <Icon name={tone === 'bad' ? 'alert' : tone === 'good' ? 'check' : 'info'} />
      <div>
        {text}
        {link !== undefined && (
          <>
            {' '}
            <a href={link.href}>{link.label}</a>
          </>
        )}
      </div>
      <Button icon="close" label="Dismiss" tone="quiet" onClick={() => dismiss(id)} />
    </div>
  );
}
