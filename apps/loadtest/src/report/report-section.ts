export interface Section {
  title: string;
  paragraphs: readonly string[];
  tables: readonly Table[];
}

/** Cells are plain text, one for each column. */
export interface Table {
  caption: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}
