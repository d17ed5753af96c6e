"""WiSE-FT: the mean of the weights before and after fine-tuning (Wortsman et al. 2022, CVPR).

arXiv 2109.01903, section 3, with the default weight of one half. Its start can classify before it
is tuned; here a fresh head cannot, so it learns alone first (two epochs, as LP-FT does), and what
stands then is the other end. Weights of two networks that grew up apart cannot be averaged, so the
mean is with the start of the same training, never with the scratch run.
"""

from tsxfer.train.method import Method, method

SHARE, ALONE = 0.5, 2  # of fine-tuned weights (alpha); epochs of the head alone


@method("wise_ft", copied="backbone", learn="head_first", stage=ALONE)
class WiseFt(Method):
    """Averages the chosen checkpoint with the start, whose head had learned alone."""

    def begin(self, given):
        """Remember where copied tensors start; the head's are taken once it has learned."""
        self.start = {n: t.detach().clone() for n, t in given.model.named_parameters()}

    def after_epoch(self, model, epoch):
        """The start's head is what two epochs alone made of it."""
        if epoch <= ALONE:
            for name, tensor in model.named_parameters():
                self.start[name].copy_(tensor)

    def finish(self, model):
        """The mean in weight space."""
        for name, tensor in model.named_parameters():
            tensor.copy_(SHARE * tensor + (1 - SHARE) * self.start[name])
