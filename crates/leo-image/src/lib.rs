//! Builds images with BuildKit and pushes them to ECR.
