"""Does pretraining on another domain help here, by how much, how fast, and how sure are we?"""

__version__ = "0.1.0"
