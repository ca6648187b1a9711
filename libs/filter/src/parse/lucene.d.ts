/** The part of the `lucene` package that we use; it has no types of its own. */
declare module 'lucene' {
  export interface LuceneTerm {
    field: string;
    /** The original text, with its escapes. */
    term: string;
    quoted: boolean;
  }

  export interface LuceneRange {
    field: string;
    term_min: string;
    term_max: string;
    inclusive: 'both' | 'none' | 'left' | 'right';
  }

  export interface LuceneGroup {
    left: LuceneNode;
    start?: string;
    operator?: string;
    right?: LuceneNode;
    parenthesized?: boolean;
    field?: string;
  }

  export type LuceneNode = LuceneTerm | LuceneRange | LuceneGroup;

  const lucene: { parse(text: string): LuceneNode };
  export default lucene;
}
