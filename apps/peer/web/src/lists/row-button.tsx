// Owns the buttons within rows of long lists: Tab reaches those of the row that the keyboard is at, and of no other.
import { Icon, type IconName } from '../parts/icon.tsx';

/** A button in a row. `label` is what it does and to what. */
export function RowButton({
  icon,
  label,
  isActive,
  onClick,
}: {
  readonly icon: IconName;
  readonly label: string;
  /** Whether the keyboard is at its row. */
  readonly isActive: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="button quiet icon-only row-button"
      aria-label={label}
      title={label}
      tabIndex={isActive ? 0 : -1}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
