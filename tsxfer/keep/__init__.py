"""One fine-tuned model to keep: fitting, saving, exporting."""
