export interface Section {
  title: string;
  paragraphs: readonly string[];
  /** Before the tables. */
  drawings?: readonly Drawing[];
  tables: readonly Table[];
}

/** A picture for the page, and the same as lines of plain text for Markdown. */
export interface Drawing {
  title: string;
  svg: string;
  lines: readonly string[];
}

/** Cells are plain text, one for each column. */
export interface Table {
  caption: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}
