/** Text as HTML, in which nothing is a tag. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** One paragraph: `code`, **strong**, [links](https://…). */
export function inlineHtml(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.length > 2 && part.startsWith('`')
        ? `<code>${escapeHtml(part.slice(1, -1))}</code>`
        : escapeHtml(part)
            .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
            .replaceAll(/\[([^\]]+)\]\((https:[^)\s]+)\)/g, '<a href="$2" rel="noreferrer">$1</a>'),
    )
    .join('');
}

/** The Markdown that descriptions in the contract use: paragraphs and lists of one level. */
export function markdownToHtml(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) => {
      if (!block.startsWith('- ')) return `<p>${inlineHtml(block.replaceAll('\n', ' '))}</p>`;
      const items = block.slice(2).split(/\n- /);
      return `<ul>${items.map((item) => `<li>${inlineHtml(item.replaceAll(/\n */g, ' '))}</li>`).join('')}</ul>`;
    })
    .join('\n');
}
