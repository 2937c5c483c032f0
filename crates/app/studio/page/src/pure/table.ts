/** Tables of numbers, by step. */

import type { Table } from "../api/types";
import type { Series } from "./chart";

/** A column by its name, against the steps; nothing if there is none. */
export function column(table: Table | undefined, name: string): Series {
  const x = table?.columns.indexOf("step") ?? -1;
  const y = table?.columns.indexOf(name) ?? -1;
  if (!table || x < 0 || y < 0) return [];
  return table.rows.map((row) => [row[x] ?? NaN, row[y] ?? NaN] as const);
}
