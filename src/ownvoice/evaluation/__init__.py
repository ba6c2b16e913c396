"""Judge a trained model against its base on phrases it never heard: figures, sentences, and a page. No torch here."""
