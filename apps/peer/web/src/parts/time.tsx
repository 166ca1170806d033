// Owns how moments read: short and in the reader's own zone, with the whole of it where one points.

const THIS_YEAR = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const OTHER_YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** A moment; `at` in RFC 3339. */
export function Time({ at }: { readonly at: string }) {
  const moment = new Date(at);
  const isThisYear = moment.getFullYear() === new Date().getFullYear();
  return (
    <time dateTime={at} title={WHOLE.format(moment)}>
      {(isThisYear ? THIS_YEAR : OTHER_YEAR).format(moment)}
    </time>
  );
}
