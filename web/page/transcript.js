// The conversation as it is seen and heard.

export class Transcript {
  #log = document.getElementById("transcript");
  #empty = document.getElementById("empty");

  clear() {
    this.#log.replaceChildren();
    this.#empty.hidden = false;
  }

  addQuestion(text) {
    this.#empty.hidden = true;
    this.#add("question", "You").text.textContent = text;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /**
   * An answer that is still to come. Screen readers hear it when it is whole.
   * @return {append(text), finish(note), fail(note)}
   */
  addAnswer() {
    const { article, text, footer } = this.#add("answer", "Model");
    article.setAttribute("aria-busy", "true");
    const end = (note) => {
      article.setAttribute("aria-busy", "false");
      this.#keepingTheEndInView(() => (footer.textContent = note));
    };
    return {
      append: (piece) => this.#keepingTheEndInView(() => text.append(piece)),
      finish: end,
      fail: (note) => {
        article.classList.add("failed");
        end(note);
      },
    };
  }

  #add(kind, who) {
    const article = document.createElement("article");
    article.className = `message ${kind}`;
    const name = document.createElement("span");
    name.className = "who";
    name.textContent = `${who}: `;
    const text = document.createElement("p");
    const footer = document.createElement("footer");
    article.append(name, text, footer);
    this.#keepingTheEndInView(() => this.#log.append(article));
    return { article, text, footer };
  }

  /** Follows what is added unless the reader has scrolled up. */
  #keepingTheEndInView(add) {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
    add();
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }
}
