"""BitFit: of what is copied, biases alone learn (Ben Zaken et al. 2022, ACL, arXiv 2106.10199).

The head learns whole, as there. Shifts of normalisation layers are biases too.
"""

from tsxfer.train.method import Method, method


@method(copied="backbone")
class BitFit(Method):
    """Copied kernels stay; copied biases and the head learn."""

    def begin(self, given):
        """Freeze every copied parameter that is no bias."""
        for name, parameter in given.model.named_parameters():
            if name in given.copied and "bias" not in name.rpartition(".")[2]:
                parameter.requires_grad_(False)
