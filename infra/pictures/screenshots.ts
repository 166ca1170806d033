// `npm run screenshots`: the pictures of the page that the README shows, dark and light, taken of a real system in the Chromium of this
// machine: a download from two peers that is half there.
//   npm run screenshots -- --out docs
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { TransferView } from '#wire/control-api';
import { readFlags } from '../launcher/flags.mjs';
import { expectOk } from '../quick-start/control-api.ts';
import { until } from '../quick-start/until.ts';
import { launchChromium } from './chromium.ts';
import { type Scene, setScene } from './scene.ts';

const USAGE = `npm run screenshots -- [--out <folder>]
  --out <folder>  where page-dark.png and page-light.png are put (docs)`;
const LOOKS = ['dark', 'light'] as const;
const VIEWPORT = { width: 1280, height: 800 };
/** How much of the download is there then. */
const PART_SHOWN = 0.6;
const BYTES_MAX = 150 * 1024;

const flags = readFlags(process.argv.slice(2), { options: { out: { type: 'string', default: 'docs' } }, usage: USAGE });
if (flags !== null) await takePictures(resolve(flags.out));

async function takePictures(folder: string): Promise<void> {
  const browser = await launchChromium();
  try {
    const scene = await setScene();
    try {
      const pages = await Promise.all(LOOKS.map((look) => open(browser, scene, look)));
      await untilHalfThere(scene);
      await mkdir(folder, { recursive: true });
      for (const [index, look] of LOOKS.entries()) {
        const picture = await pages[index]!.screenshot();
        if (picture.length > BYTES_MAX)
          throw new Error(`the ${look} picture has ${picture.length} bytes, more than ${BYTES_MAX}`);
        await writeFile(join(folder, `page-${look}.png`), picture);
        process.stdout.write(`page-${look}.png (${(picture.length / 1024).toFixed(0)} KiB) in ${folder}\n`);
      }
    } finally {
      await scene.remove();
    }
  } finally {
    await browser.close();
  }
}

/** The page at the running download. */
async function open(browser: Browser, scene: Scene, colorScheme: (typeof LOOKS)[number]): Promise<Page> {
  const context = await browser.newContext({ colorScheme, viewport: VIEWPORT, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const { url } = scene.control;
  const { ticket } = await expectOk('a ticket', scene.control.post<{ ticket: string }>('/page-tickets', {}));
  await page.goto(`${url}/#ticket=${ticket}`);
  await page.getByRole('link', { name: scene.group }).first().waitFor();
  await page.goto(`${url}/#/transfers/${scene.runningTransferId}`);
  return page;
}

async function untilHalfThere({ control, runningTransferId }: Scene): Promise<void> {
  await until('a part of the download is there', async () => {
    const transfer = await expectOk('transfer', control.get<TransferView>(`/transfers/${runningTransferId}`));
    return transfer.verifiedBytes >= PART_SHOWN * transfer.totalBytes;
  });
}
