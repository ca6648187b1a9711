import { compilePartialPredicate, type Filter } from '@logloom/filter';
import type { Correlation, Level } from '@logloom/schemas';

/**
 * Whether members of a document can match an imposed filter, judged by the document alone: false only if none can, so that the members need
 * not be read. Each member has one of the services, one of the levels, and the document's correlation id.
 */
export function mayHaveVisibleMembers(
  imposed: Filter,
): (document: Pick<Correlation, 'services' | 'levels' | 'correlationId'>) => boolean {
  const matches = compilePartialPredicate(imposed);
  return ({ services, levels, correlationId }) => {
    const levelNames = Object.keys(levels) as Level[];
    if (services.length === 0 || levelNames.length === 0) return true;
    return services.some((service) =>
      levelNames.some((level) => matches({ service, level, correlationId }) !== false),
    );
  };
}
