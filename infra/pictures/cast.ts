// Owns recorded terminal sessions as files: asciicast v2, a header and one line of JSON for each piece of output, with the times
// at which it really came. Players, and our own drawing, cut pauses to what the header says.
// https://docs.asciinema.org/manual/asciicast/v2/

/** One recording. Times are seconds since its beginning. */
export interface Cast {
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
  /** Longest pause that is shown, in seconds. */
  readonly pauseSecondsMax: number;
  readonly outputs: readonly CastOutput[];
}

/** What a terminal was sent at once. */
export interface CastOutput {
  readonly atSeconds: number;
  readonly text: string;
}

/** A recording as the text of its file. */
export function castText({ columns, rows, title, pauseSecondsMax, outputs }: Cast): string {
  const header = { version: 2, width: columns, height: rows, title, idle_time_limit: pauseSecondsMax };
  const lines = outputs.map(({ atSeconds, text }) => JSON.stringify([Number(atSeconds.toFixed(3)), 'o', text]));
  return [JSON.stringify(header), ...lines, ''].join('\n');
}

/** The outputs at the times at which they are shown: no pause is longer than the recording says. */
export function shownOutputs({ outputs, pauseSecondsMax }: Cast): CastOutput[] {
  let [shownAt, before] = [0, 0];
  return outputs.map(({ atSeconds, text }) => {
    shownAt += Math.min(atSeconds - before, pauseSecondsMax);
    before = atSeconds;
    return { atSeconds: shownAt, text };
  });
}
