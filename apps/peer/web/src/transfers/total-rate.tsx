// Owns what the frame shows of transfers: the rate of all of them in the header, and how many are under way beside their place.

/** The total rate, down and up. */
export function TotalRate() {
  return null;
}

/** How many are under way. */
export function TransferCount() {
  return null;
}
