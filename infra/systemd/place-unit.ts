/** Where an installation has what the units name. The units of this folder are written for the first of each. */
export interface UnitPaths {
  /** Instead of /usr/bin/node. */
  node: string;
  /** The folder with apps, libs and services, instead of /opt/logloom. */
  logloom: string;
  /** The folder that has the pages under the paths that they have in the repository, instead of /opt/logloom. */
  documentation: string;
}

/** The text of a unit of this folder, for an installation in other paths. */
export function placeUnit(text: string, { node, logloom, documentation }: UnitPaths): string {
  return text
    .replaceAll('file:///opt/logloom/', `file://${documentation}/`)
    .replaceAll('/usr/bin/node', node)
    .replaceAll('/opt/logloom', logloom);
}
