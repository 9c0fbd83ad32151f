/** Finds presets by the words that a person types: names, sentences, symptoms and causes, all from the catalogue. */
import type { GroupTitle, Preset } from "overfit-lab";

/** Words that are in an open list anyway. */
const visibleText = ({ name, summary }: Preset) => `${name} ${summary}`.toLowerCase();

const wordsOf = (query: string) => query.toLowerCase().split(/\s+/).filter(Boolean);
const hasAll = (text: string, words: string[]) => words.every((word) => text.includes(word));

/** Whether every word of the query is somewhere in what is known of a preset. */
export function isFound(preset: Preset, group: GroupTitle, query: string): boolean {
  const { id, mistake } = preset;
  const texts = mistake === null ? [] : [mistake.sees, mistake.does, mistake.mends, mistake.words];
  return hasAll([visibleText(preset), id, group.title, ...texts].join(" ").toLowerCase(), wordsOf(query));
}

/** The sentence to show of a found preset: its summary, or its symptom where only that has the words. */
export function sentenceOf(preset: Preset, query: string): string {
  const words = wordsOf(query);
  const { mistake, summary } = preset;
  if (mistake === null || words.length === 0 || hasAll(visibleText(preset), words)) return summary;
  return words.some((word) => mistake.sees.toLowerCase().includes(word)) ? mistake.sees : summary;
}
