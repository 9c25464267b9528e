"""Deleting images and weighing them, as ECR does ("BatchDeleteImage" and "ImageDetail", Amazon ECR API Reference): the
emulator deletes the whole image with any of its tags, one that an index is made of too, and weighs manifests alone.
"""

import json

from ministack.core.responses import json_response
from ministack.services import ecr

_batch_delete_image = ecr._batch_delete_image
_describe_images = ecr._describe_images


def manifest_of(image):
    try:
        manifest = json.loads(image.get("imageManifest") or "{}")
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def children(image):
    return [child.get("digest") for child in manifest_of(image).get("manifests") or []]


def size(image, images):
    """What its layers weigh; of an index, what the heaviest image in it does."""
    manifest = manifest_of(image)
    parts = [size(other, images) for other in images if other["imageDigest"] in children(image)]
    layers = [manifest.get("config") or {}, *(manifest.get("layers") or [])]
    return max(parts, default=sum(layer.get("size", 0) for layer in layers))


def failure(image_id, code, reason):
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def delete(name, image_id):
    """The rows and the failures of one image id."""
    images = ecr._images[name]
    image = ecr._find_image(name, image_id)
    if image is None:
        return [], [failure(image_id, "ImageNotFound", "Requested image not found")]
    digest, tag, tags = image["imageDigest"], image_id.get("imageTag"), image.get("imageTags", [])
    if tag and tag in tags and len(tags) > 1:
        tags.remove(tag)
        image["imageId"] = {"imageDigest": digest, "imageTag": tags[-1]}
        return [{"imageDigest": digest, "imageTag": tag}], []
    if any(digest in children(other) for other in images):
        reason = f"Requested image referenced by manifest list: [{digest}]"
        return [], [failure(image_id, "ImageReferencedByManifestList", reason)]
    images.remove(image)
    ecr._manifest_blobs.get(name, {}).pop(digest, None)
    return [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}], []


def batch_delete_image(data):
    name = data.get("repositoryName", "")
    if name not in ecr._repositories:
        return _batch_delete_image(data)
    gone, failures = [], []
    for image_id in data.get("imageIds", []):
        rows, refused = delete(name, image_id)
        gone += rows
        failures += refused
    return json_response({"imageIds": gone, "failures": failures})


def describe_images(data):
    name = data.get("repositoryName", "")
    status, headers, body = _describe_images(data)
    answer = json.loads(body)
    images = ecr._images.get(name, []) if name in ecr._repositories else []
    by_digest = {image["imageDigest"]: image for image in images}
    for details in answer.get("imageDetails", []):
        details["imageSizeInBytes"] = size(by_digest[details["imageDigest"]], images)
    return status, headers, json.dumps(answer).encode()


def install():
    ecr._batch_delete_image = batch_delete_image
    ecr._describe_images = describe_images
