// Owns who has a place at a door: so many connections at a time, and so many of one network. When all are taken, somebody who has
// not shown yet who it is gives way to who comes: the oldest one, of the network that has most of them. A good caller has shown
// it in a moment, and a silent one keeps nobody out.

/** Networks that are compared when somebody has to give way: enough to see a crowd, few enough for every connection. */
const COMPARED_MAX = 1_024;

/** How many places there are, and whom they are kept for. */
export interface DoorPlacesOptions<Guest> {
  readonly placesMax: number;
  readonly perNetworkMax: number;
  /** Asked before a guest has to give way: whether it has shown who it is since it came. */
  readonly isKnown?: (guest: Guest) => boolean;
}

interface Network<Guest> {
  guestCount: number;
  /** In the order in which they came. */
  readonly strangers: Set<Guest>;
}

/** The places of one door. */
export class DoorPlaces<Guest extends object> {
  readonly #options: DoorPlacesOptions<Guest>;
  readonly #networkOf = new Map<Guest, string>();
  readonly #networks = new Map<string, Network<Guest>>();

  constructor(options: DoorPlacesOptions<Guest>) {
    this.#options = options;
  }

  /** How many places are taken. */
  get size(): number {
    return this.#networkOf.size;
  }

  /** Gives a place to who comes. Returns who has none any more, to be sent away: somebody else, or who has come; or null. */
  enter(guest: Guest, network: string): Guest | null {
    const own = this.#networks.get(network) ?? { guestCount: 0, strangers: new Set() };
    this.#networks.set(network, own);
    this.#networkOf.set(guest, network);
    own.guestCount += 1;
    own.strangers.add(guest);
    const { placesMax, perNetworkMax } = this.#options;
    const isCrowded = own.guestCount > perNetworkMax;
    if (!isCrowded && this.size <= placesMax) return null;
    const leaving = this.#oldestStranger(guest, () => (isCrowded ? own : this.#mostCrowded(own)));
    this.leave(leaving);
    return leaving;
  }

  /** A guest has shown who it is, and gives way to nobody from now on. */
  know(guest: Guest): void {
    this.#networks.get(this.#networkOf.get(guest) ?? '')?.strangers.delete(guest);
  }

  /** A guest is gone; nothing happens when it has no place. */
  leave(guest: Guest): void {
    const network = this.#networkOf.get(guest);
    const places = network === undefined ? undefined : this.#networks.get(network);
    if (network === undefined || places === undefined) return;
    this.#networkOf.delete(guest);
    places.strangers.delete(guest);
    places.guestCount -= 1;
    if (places.guestCount === 0) this.#networks.delete(network);
  }

  /** Ends with the newest at the latest: nobody has been asked yet who that is. */
  #oldestStranger(newest: Guest, choose: () => Network<Guest>): Guest {
    const { isKnown = () => false } = this.#options;
    for (;;) {
      for (const guest of choose().strangers) {
        if (guest === newest || !isKnown(guest)) return guest;
        this.know(guest);
      }
    }
  }

  #mostCrowded(own: Network<Guest>): Network<Guest> {
    let most = own;
    let compared = 0;
    for (const network of this.#networks.values()) {
      const more = network.strangers.size - most.strangers.size;
      // Of equals not the newcomer's own: otherwise one stranger from each of many networks would keep it out.
      if (more > 0 || (more === 0 && most === own)) most = network;
      compared += 1;
      if (compared === COMPARED_MAX) break;
    }
    return most;
  }
}
