// The screen's additions to a text that has been applied: the bars of code blocks, drawn formulas and diagrams.

/** @typedef {import('../../shared/article.js').Turn} Turn */

export class Decorations {
  /**
   * @param {import('./code_blocks.js').CodeBlocks} blocks
   * @param {import('./formulas.js').Formulas} formulas
   * @param {import('../diagrams/diagrams.js').Diagrams} diagrams
   */
  constructor(blocks, formulas, diagrams) {
    this.blocks = blocks;
    this.formulas = formulas;
    this.diagrams = diagrams;
  }

  /** Takes the new elements of a turn. @param {Turn} turn @param {boolean} growing its formulas are drawn at once */
  take({ applier }, growing) {
    if (!applier) return;
    this.blocks.take(applier.blocks.splice(0));
    const formulas = applier.formulas.splice(0);
    if (growing) this.formulas.draw(formulas);
    else this.formulas.watch(formulas);
    this.diagrams.watch(applier.diagrams.splice(0));
  }
}
