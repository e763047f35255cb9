// text.js: what counts as text: valid UTF-8, no control characters but tab and line feed.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isForbidden = (point) => (point < 0x20 && point !== 0x09 && point !== 0x0a) || (point >= 0x7f && point < 0xa0);

// The number of characters (code points), or undefined where the bytes are no text.
export function countCharacters(bytes) {
  let text;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const points = [...text].map((character) => character.codePointAt(0));
  return points.some(isForbidden) ? undefined : points.length;
}
