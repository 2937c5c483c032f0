/** Values that the page follows. */

import { useLayoutEffect, useState } from "preact/hooks";

/** A value that tells those who watch when it is another. */
export class Cell<T> {
  private readonly watchers = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set value(next: T) {
    if (Object.is(next, this.current)) return;
    this.current = next;
    for (const watcher of [...this.watchers]) watcher();
  }

  change(by: (now: T) => T): void {
    this.value = by(this.current);
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

/** The value, in a component that is drawn again when it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, redraw] = useState({});
  useLayoutEffect(() => cell.watch(() => redraw({})), [cell]);
  return cell.value;
}
