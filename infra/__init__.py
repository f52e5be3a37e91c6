"""The CDK stack. Each file defines one construct, or what several constructs share."""
