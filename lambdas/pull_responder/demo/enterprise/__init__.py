"""`pull-responder demo --enterprise`: a way over four accounts, with one fault that is none of the cluster's."""
