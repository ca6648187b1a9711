/** Takes user and password out of a URL and into a header: fetch refuses them in a URL, and would quote them in its error. Throws TypeError. */
export function splitCredentials(url: string): { target: URL; authorization: Record<string, string> } {
  const target = new URL(url);
  const { username, password } = target;
  target.username = target.password = '';
  if (username === '' && password === '') return { target, authorization: {} };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { target, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}
