/** The entries that allow receivers a host that is not public: those of its own setting, and the server's own names and addresses. */
export function allowedHosts(settings: {
  RECEIVERS_ALLOWED_HOSTS: readonly string[];
  ALLOWED_HOSTS: readonly string[];
}): string[] {
  const { RECEIVERS_ALLOWED_HOSTS: own, ALLOWED_HOSTS: names } = settings;
  // There, * stands for any text: as an entry here it would allow everything.
  return [...own, ...names.filter((name) => !name.includes('*'))];
}
