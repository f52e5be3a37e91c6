"""Finds out why a pod on Amazon EKS cannot pull its image from Amazon ECR."""
