// Owns the place of transfers.
import { Screen } from '../frame/screen.tsx';

/** All transfers, and one of them that is looked at. */
export function TransfersView({ transferId }: { readonly transferId: string | undefined }) {
  return <Screen title="Transfers">{transferId}</Screen>;
}
