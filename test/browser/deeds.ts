// Owns what people do on the page, by what they see there: the names of buttons, fields and places, which are those that a screen reader
// says. Each deed is done with a pointer or with the keyboard alone.
import type { Locator } from 'playwright-core';
import type { Hand } from './hands.ts';
import type { Person } from './people.ts';

/** Where a download goes, and what of a folder is wanted; everything when nothing is said. */
interface Wished {
  readonly to: string;
  readonly only?: string;
}

/** Somebody who does things on their page. */
export class Doer {
  readonly person: Person;
  readonly #hand: Hand;

  constructor(person: Person, hand: Hand) {
    this.person = person;
    this.#hand = hand;
  }

  /** The list of files of a group that is looked at. */
  files(group: string): Locator {
    return this.person.page.getByRole('grid', { name: `Files of ${group}` });
  }

  /** The row of a list that has this in it. */
  row(list: Locator, words: string): Locator {
    return list.getByRole('row').filter({ hasText: words });
  }

  /** What is shown beside a list of the thing that was opened in it. */
  details(name: string): Locator {
    return this.person.page.getByRole('region', { name: `Details of ${name}` });
  }

  async signUp(user: string, password: string): Promise<void> {
    await this.press('Create a user');
    await this.#logInForm(user, password, 'Create and log in');
  }

  async logIn(user: string, password: string): Promise<void> {
    await this.#logInForm(user, password, 'Log in');
  }

  /** Logs out, and says yes when it is asked about. */
  async logOut(): Promise<void> {
    await this.press('Log out');
  }

  /** Goes to a place by its link. */
  async goTo(link: string | RegExp): Promise<void> {
    await this.#hand.press(this.person.page.getByRole('link', { name: link }).first());
  }

  async createGroup(group: string): Promise<void> {
    await this.press('New group');
    const dialog = this.dialog('New group');
    await this.#hand.write(dialog.getByLabel('Name'), group);
    await this.#hand.press(dialog.getByRole('button', { name: 'Create group' }));
    await this.person.page.getByRole('heading', { name: group, level: 1 }).waitFor();
  }

  /** Shares a path of the machine in the group that is looked at. */
  async share(group: string, path: string): Promise<void> {
    await this.press('Share');
    const dialog = this.dialog(`Share in ${group}`);
    await this.#hand.write(dialog.getByLabel('Path on this machine'), path);
    await this.#hand.press(dialog.getByRole('button', { name: 'Share', exact: true }));
    await dialog.waitFor({ state: 'detached' });
  }

  /** Drops a file, or a folder with all that is in it, on the page, as the desktop of the browser's machine does it. */
  async drop(path: string): Promise<void> {
    const { context, page } = this.person;
    const devtools = await context.newCDPSession(page);
    const place = (await page.getByRole('main').boundingBox())!;
    const at = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await devtools.send('Input.dispatchDragEvent', { type, ...at, data });
    }
    await devtools.detach();
  }

  /** Downloads a file of the group that is looked at, or some files of a folder, and goes to where it is seen coming. */
  async download(group: string, file: string, { to, only = '' }: Wished): Promise<void> {
    await this.#hand.openRow(this.files(group), file);
    await this.#hand.press(this.details(file).getByRole('button', { name: 'Download', exact: true }));
    const dialog = this.dialog(`Download ${file}`);
    await this.#hand.write(dialog.getByLabel('Where to, on this machine'), to);
    if (only !== '') await this.#hand.write(dialog.getByLabel('Only some files of a folder'), only);
    await this.#hand.press(dialog.getByRole('button', { name: 'Download' }));
    await dialog.waitFor({ state: 'detached' });
    await this.#hand.press(this.details(file).getByRole('link', { name: 'Show the transfer' }));
  }

  /** Asks for a file of the group that is looked at to be shared from here no more; what is asked back is answered by who asks. */
  async askToStopSharing(group: string, file: string): Promise<Locator> {
    await this.#hand.openRow(this.files(group), file);
    await this.#hand.press(this.details(file).getByRole('button', { name: 'Stop sharing' }));
    return this.dialog(`Stop sharing ${file}?`);
  }

  /** Looks into a file of the group that is looked at. */
  async look(group: string, file: string): Promise<Locator> {
    await this.#hand.openRow(this.files(group), file);
    await this.#hand.press(this.details(file).getByRole('button', { name: 'Open', exact: true }));
    return this.dialog(`Open ${file}`);
  }

  dialog(name: string): Locator {
    return this.person.page.getByRole('dialog', { name });
  }

  /** Presses the first button of that name, on the page or in a part of it. */
  async press(button: string, within?: Locator): Promise<void> {
    await this.#hand.press((within ?? this.person.page).getByRole('button', { name: button, exact: true }).first());
  }

  async #logInForm(user: string, password: string, action: string): Promise<void> {
    const form = this.person.page.getByRole('form', { name: action });
    await this.#hand.write(form.getByLabel('User name'), user);
    await this.#hand.write(form.getByLabel('Password'), password);
    await this.#hand.press(form.getByRole('button', { name: action }));
    await this.person.isIn();
  }
}
