import { accessLayouts } from './access-layouts.ts';
import { appLayouts } from './app-layouts.ts';
import { compileLayout, type Layout } from './layout.ts';
import { serverLayouts } from './server-layouts.ts';
import { systemLayouts } from './system-layouts.ts';
import { wrapperLayouts } from './wrapper-layouts.ts';

/** The layouts that are known, in the order in which they are tried. */
export const knownLayouts: readonly Layout[] = [
  ...accessLayouts,
  ...appLayouts,
  ...serverLayouts,
  ...systemLayouts,
].map(compileLayout);

/** Layouts around lines. */
export const knownWrappers: readonly Layout[] = wrapperLayouts.map(compileLayout);

/** The layouts of a list by the first character of a line. */
export class LayoutTable {
  readonly #byCharacter: (readonly Layout[])[];
  readonly #others: readonly Layout[];

  constructor(layouts: readonly Layout[]) {
    this.#others = layouts.filter(({ firstCharacters }) => firstCharacters === undefined);
    this.#byCharacter = Array.from({ length: 128 }, (_, code) =>
      layouts.filter(({ firstCharacters }) => firstCharacters?.has(code) !== false),
    );
  }

  /** The layouts that a text can have, in their order. */
  of(text: string): readonly Layout[] {
    return this.#byCharacter[text.charCodeAt(0)] ?? this.#others;
  }
}
