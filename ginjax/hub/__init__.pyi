from ._address import MODEL_FILE as MODEL_FILE
from ._address import HubAddress as HubAddress
from ._address import is_hub_address as is_hub_address
from ._fetch import Fetched as Fetched
from ._fetch import fetch as fetch
from ._library import NEEDED as NEEDED
from ._push import Pushed as Pushed
from ._push import push_model as push_model
