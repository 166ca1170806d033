// Owns the two ways to use a page: with a pointer, or with the keyboard alone, where everything has to be reached with Tab and seen when
// it is. A story that is told with either does the same things.
import type { Locator, Page } from 'playwright-core';

/** How somebody uses a page. */
export interface Hand {
  press(target: Locator): Promise<void>;
  /** Writes into a field, over what is there. */
  write(target: Locator, text: string): Promise<void>;
  /** Opens the row of a list that has this in it. */
  openRow(list: Locator, words: string): Promise<void>;
}

/** More presses than any view has places to stop at. */
const STOPS_MAX = 120;

/** With a pointer. */
export function pointer(): Hand {
  return {
    press: (target) => target.click(),
    write: (target, text) => target.fill(text),
    openRow: (list, words) => rowOf(list, words).getByText(words, { exact: true }).click(),
  };
}

/** With the keyboard alone. */
export function keyboard(page: Page): Hand {
  return {
    press: async (target) => {
      await tabTo(page, target);
      await page.keyboard.press('Enter');
    },
    write: async (target, text) => {
      await tabTo(page, target);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type(text);
    },
    openRow: async (list, words) => {
      const row = rowOf(list, words);
      await row.waitFor();
      await tabTo(page, list.locator('[role=row][tabindex="0"]'));
      await page.keyboard.press('Home');
      for (let stops = 0; !(await hasFocus(row)); stops++) {
        if (stops > STOPS_MAX) throw new Error(`the arrow keys never lead to the row of ${words}`);
        await page.keyboard.press('ArrowDown');
      }
      await page.keyboard.press('Enter');
    },
  };
}

function rowOf(list: Locator, words: string): Locator {
  return list.getByRole('row').filter({ hasText: words });
}

/** Presses Tab until something has the focus. Throws when it is never reached, or not seen to have the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let stops = 0; stops < STOPS_MAX; stops++) {
    if (await hasFocus(target)) {
      if (!(await target.evaluate(isSeenFocused)))
        throw new Error(`nothing shows that ${String(target)} has the focus`);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never leads to ${String(target)}`);
}

function hasFocus(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === element.ownerDocument.activeElement);
}

/** Runs in the page: an outline, a shadow or a colour says where the focus is. */
function isSeenFocused(element: Element): boolean {
  const look = (): string => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
    return [outlineStyle === 'none' ? '' : outlineWidth, boxShadow, borderColor, backgroundColor].join();
  };
  const focused = look();
  (element as HTMLElement).blur();
  const unfocused = look();
  (element as HTMLElement).focus();
  return focused !== unfocused;
}
